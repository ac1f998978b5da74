# Pictures with what the model made of them: predictions.dat, and predictions.pixels, a byte each.
# To draw it again, in the run folder: gnuplot plots/predictions.gp
if (!exists("part")) part = ''
set encoding utf8
table = 'plots/predictions.dat'
pixels = 'plots/predictions.pixels'
stats table using 1 name 'picture' nooutput

# Sizes are pixels of the sheet. A tile is a picture with two lines of text below it.
across = picture_records < 8 ? 1. * picture_records : 8.
down = ceil(picture_records / across)
scale = ceil(112. / (columns > rows ? columns : rows))
tile_width = columns * scale + 52
tile_height = rows * scale + 78
heading = 64
footing = 44
sheet_width = across * tile_width + 40
if (sheet_width < 760) sheet_width = 760
sheet_height = down * tile_height + heading + footing
margin = (sheet_width - across * tile_width) / 2.

left(i) = margin + (i - across * floor(i / across)) * tile_width + 26
right(i) = left(i) + columns * scale
middle(i) = (left(i) + right(i)) / 2.
top(i) = heading + floor(i / across) * tile_height + 6
bottom(i) = top(i) + rows * scale

ink = 0x303030
pale = 0x707070
wrong = 0xd01c1c
is_wrong(i) = column(2) != column(3) ? i : NaN
is_right(i) = column(2) == column(3) ? i : NaN
color(right_color) = column(2) != column(3) ? wrong : right_color

png = strstrt(GPVAL_TERMINALS, 'pngcairo') ? 'pngcairo' : 'png'
set terminal @png size sheet_width,sheet_height font 'DejaVu Sans,11' background '#ffffff'
set output part.'predictions.png'
unset border
unset tics
unset key
unset colorbox
set margins at screen 0, screen 1, screen 0, screen 1
set xrange [0:sheet_width]
set yrange [sheet_height:0]
set palette defined (0 '#ffffff', 1 '#101010')
set cbrange [0:255]
set label 1 title at sheet_width / 2., 34 center noenhanced font 'DejaVu Sans,18' textcolor rgb ink
set label 2 'Bold: the prediction. Below it: the truth, and how sure the model was. Red: errors.' \
    at sheet_width / 2., sheet_height - 24 center textcolor rgb pale
plot for [i = 0 : picture_records - 1] pixels binary array=(columns,rows) format='%uchar' \
       skip=i*columns*rows origin=(left(i) + scale / 2., top(i) + scale / 2.) dx=scale dy=scale \
       using 1 with image, \
     table using (middle(is_right($0))):(top($0)):(left($0)):(right($0)):(top($0)):(bottom($0)) \
       with boxxyerror fill empty lw 1 lc rgb '#c8c8c8', \
     table using (middle(is_wrong($0))):(top($0)):(left($0)):(right($0)):(top($0)):(bottom($0)) \
       with boxxyerror fill empty lw 3 lc rgb wrong, \
     table using (middle($0)):(bottom($0) + 19):(sprintf('%d', $3)):(color(ink)) \
       with labels font 'DejaVu Sans Bold,16' textcolor rgb variable, \
     table using (middle($0)):(bottom($0) + 44):(sprintf('truth %d · %.1f %%', $2, 100 * $4)): \
       (color(pale)) with labels textcolor rgb variable
unset output
