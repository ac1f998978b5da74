# Loss and accuracy against epoch, from metrics.csv.
# To draw it again, in the run folder: gnuplot plots/curves.gp
if (!exists("part")) part = ''
set encoding utf8
set datafile separator comma
set datafile columnheaders
set datafile missing NaN

of(kind, name) = strcol("kind") eq kind ? column(name) : NaN
stats 'metrics.csv' using (of("step", "step")) name 'step' nooutput
stats 'metrics.csv' using (of("step", "epoch")) name 'epoch' nooutput
stats 'metrics.csv' using (of("step", "loss")) name 'loss' nooutput
stats 'metrics.csv' using (of("step", "accuracy")) name 'accuracy' nooutput
stats 'metrics.csv' using (of("epoch", "validation_loss")) name 'validation' nooutput
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
  plot 'metrics.csv' every stride using (of("step", "epoch")):(of("step", "loss")) \
         with lines lc rgb batch lw 0.7 title batch_title, \
       '' using (middle(of("step", "step"))):(of("step", "loss")) smooth unique \
         with lines lc rgb training lw 2.2 title mean_title, \
       '' using (of("epoch", "epoch")):(of("epoch", "loss")) \
         with points pt 6 ps 1.1 lw 1.5 lc rgb training title 'training, last batch of the epoch', \
       '' using (of("epoch", "epoch")):(of("epoch", "validation_loss")) \
         with linespoints pt 7 ps 1.1 lw 2.2 lc rgb validation title validation_title

  unset logscale y
  lowest = 1 - 4 * (1 - accuracy_lo_quartile)
  set yrange [lowest > 0 ? lowest : 0 : 1]
  set title 'Accuracy'
  set ytics auto
  set key bottom right
  plot 'metrics.csv' every stride using (of("step", "epoch")):(of("step", "accuracy")) \
         with lines lc rgb batch lw 0.7 title batch_title, \
       '' using (middle(of("step", "step"))):(of("step", "accuracy")) smooth unique \
         with lines lc rgb training lw 2.2 title mean_title, \
       '' using (of("epoch", "epoch")):(of("epoch", "accuracy")) \
         with points pt 6 ps 1.1 lw 1.5 lc rgb training title 'training, last batch of the epoch', \
       '' using (of("epoch", "epoch")):(of("epoch", "validation_accuracy")) \
         with linespoints pt 7 ps 1.1 lw 2.2 lc rgb validation title validation_title
  unset multiplot
  unset output
}
