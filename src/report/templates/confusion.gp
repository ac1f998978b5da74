# How often which class was taken for which, from confusion.dat.
# To draw it again, in the run folder: gnuplot plots/confusion.gp
if (!exists("part")) part = ''
set encoding utf8
table = 'plots/confusion.dat'
stats table using 1 name 'truth' nooutput
classes = int(truth_max) + 1
with_numbers = classes <= 30

# A cell's shade follows from its share of the truth's pictures: blue (negative) where prediction
# and truth agree; red elsewhere, on a logarithmic scale so that rare errors show.
share(count, total) = total > 0 ? 1. * count / total : 0
rarest = 0.0003
depth(share) = share > rarest ? 1 - log10(share) / log10(rarest) : 0
error_shade(share) = share > 0 ? 0.08 + 0.92 * depth(share) : 0
shade(is_right, share) = is_right ? -share : error_shade(share)
cell_shade(x) = shade(column(1) == column(2), share(column(3), column(4)))

# Sizes are pixels of the sheet.
side = with_numbers ? (classes <= 5 ? 110 : classes <= 12 ? 76 : 48) : (classes <= 100 ? 10 : 4)
gap = with_numbers ? 0.5 - 1. / side : 0.5
numbers = with_numbers ? (classes <= 12 ? 14 : 10) : 0
field = classes * side
left = 120
right = with_numbers ? 110 : 60
top = 96
bottom = 104
width = left + field + right < 700 ? 700 : left + field + right
left = (width - field - right + left) / 2.
height = top + field + bottom

ink = 0x303030
pale = 0x707070
number_color(shade) = shade < -0.55 || shade > 0.7 ? 0xffffff : ink

png = strstrt(GPVAL_TERMINALS, 'pngcairo') ? 'pngcairo' : 'png'
set terminal @png size width,height font 'DejaVu Sans,13' background '#ffffff'
set output part.'confusion.png'
unset border
unset key
unset colorbox
set lmargin at screen left / width
set rmargin at screen (left + field + right) / width
set tmargin at screen 1 - 1. * top / height
set bmargin at screen 1. * bottom / height
set xrange [-0.5:classes - 0.5 + 1. * right / side]
set yrange [classes - 0.5:-0.5]
set tics scale 0 textcolor rgb ink
step = with_numbers ? 1 : classes <= 100 ? 10 : 20
set xtics 0, step, classes - 1
set ytics 0, step, classes - 1
set ylabel 'Truth' textcolor rgb ink
set palette defined (-1 '#1f5fa8', 0 '#f5f5f5', 0.001 '#fef0ea', 0.25 '#fcd3c2', 0.5 '#f6906a', \
    1 '#a50f15')
set cbrange [-1:1]
set label 5 'Prediction' at classes / 2. - 0.5, screen 60. / height center textcolor rgb ink
set label 1 title at screen 0.5, screen 1 - 40. / height center noenhanced \
    font 'DejaVu Sans,18' textcolor rgb ink
set label 2 'Pictures by truth and prediction. Blue: right. Red: errors, on a logarithmic scale.' \
    at screen 0.5, screen 26. / height center font 'DejaVu Sans,11' textcolor rgb pale
if (with_numbers) {
  set label 3 'right' at classes - 0.5 + 52. / side, -0.5 - 14. / side center textcolor rgb pale
}
plot table using 2:1:($2 - gap):($2 + gap):($1 - gap):($1 + gap):(cell_shade(0)) \
       with boxxyerror fill solid 1 noborder lc palette, \
     table using 2:1:(with_numbers && $3 > 0 ? sprintf('%d', $3) : ''): \
       (number_color(cell_shade(0))) \
       with labels font sprintf('DejaVu Sans,%d', numbers) textcolor rgb variable, \
     table using (with_numbers && $1 == $2 ? classes - 0.5 + 52. / side : NaN):1: \
       (sprintf('%.1f %%', 100 * share($3, $4))) with labels textcolor rgb pale
unset output
