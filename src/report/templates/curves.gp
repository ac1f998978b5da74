# Loss and accuracy against epoch, from metrics.csv.
# To draw it again, in the run folder: gnuplot plots/curves.gp
if (!exists("part")) part = ''
set encoding utf8
set datafile separator comma
set datafile columnheaders
set datafile missing NaN

# The records of each kind, read once: step, epoch, loss, accuracy; of an epoch (there may be none)
# also loss and accuracy on the validation set.
set table $steps
plot 'metrics.csv' using "step":"epoch":"loss":"accuracy" with table if (strcol("kind") eq "step")
$epochs << end
NaN NaN NaN NaN NaN
end
set table $epochs append
plot 'metrics.csv' using "epoch":"loss":"accuracy":"validation_loss":"validation_accuracy" \
    with table if (strcol("kind") eq "epoch")
unset table
set datafile separator whitespace
set datafile nocolumnheaders
stats $steps using 1 name 'step' nooutput
stats $steps using 2 name 'epoch' nooutput
stats $steps using 4 name 'accuracy' nooutput
stats $epochs using 4 name 'validation' nooutput
validation_title = exists("validation_records") ? 'validation' : ''

# The thin line is every batch (thinned out beyond 4,000), the thick one the mean over `width`.
epochs = epoch_max
width = ceil(step_records / 60.)
mean_title = width > 1 ? sprintf('training, mean of %d batches', width) : 'training'
batch_title = width > 1 ? 'batches' : ''
stride = ceil(step_records / 4000.)
middle(step) = ((floor((step - 1) / width) + 0.5) * width + 0.5) * epochs / step_max

batch = '#9fc3e6'
training = '#1f5fa8'
validation = '#d9661f'
ink = '#303030'

set border 3 lc rgb '#808080' lw 1
set tics nomirror out scale 0.5 textcolor rgb ink
set grid xtics ytics lc rgb '#e4e4e4' lw 1 lt 1
set xlabel 'Epoch' textcolor rgb ink offset 0,0.4
set title textcolor rgb ink offset 0,-0.3
set xrange [0:epochs]
if (epochs <= 12 && epochs > 2) set xtics 1
set key textcolor rgb ink samplen 2.2 spacing 1.15 opaque noautotitle

png = strstrt(GPVAL_TERMINALS, 'pngcairo') ? 'pngcairo' : 'png'
do for [picture in 'curves.png curves.svg'] {
  if (picture eq 'curves.png') {
    set terminal @png size 1800,760 font 'DejaVu Sans,18' linewidth 1.5 background '#ffffff'
    heading = 'DejaVu Sans,21'
  } else {
    set terminal svg size 1200,507 font 'DejaVu Sans,12' background '#ffffff'
    heading = 'DejaVu Sans,14'
  }
  set output part.picture
  set multiplot layout 1,2 title title noenhanced font heading textcolor rgb ink \
      margins 0.045,0.985,0.12,0.84 spacing 0.06,0

  set title 'Loss'
  set logscale y
  set yrange [*:*] noextend
  set ytics (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
  set key top right
  plot $steps every stride using 2:3 \
         with lines lc rgb batch lw 0.7 title batch_title, \
       $steps using (middle($1)):3 smooth unique \
         with lines lc rgb training lw 2.2 title mean_title, \
       $epochs using 1:2 \
         with points pt 6 ps 1.1 lw 1.5 lc rgb training title 'training, last batch of the epoch', \
       $epochs using 1:4 \
         with linespoints pt 7 ps 1.1 lw 2.2 lc rgb validation title validation_title

  unset logscale y
  lowest = 1 - 4 * (1 - accuracy_lo_quartile)
  set yrange [lowest > 0 ? lowest : 0 : 1]
  set title 'Accuracy'
  set ytics auto
  set key bottom right
  plot $steps every stride using 2:4 \
         with lines lc rgb batch lw 0.7 title batch_title, \
       $steps using (middle($1)):4 smooth unique \
         with lines lc rgb training lw 2.2 title mean_title, \
       $epochs using 1:3 \
         with points pt 6 ps 1.1 lw 1.5 lc rgb training title 'training, last batch of the epoch', \
       $epochs using 1:5 \
         with linespoints pt 7 ps 1.1 lw 2.2 lc rgb validation title validation_title
  unset multiplot
  unset output
}
