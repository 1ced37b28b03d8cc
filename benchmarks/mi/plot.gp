# One SVG a channel: estimate against truth, a panel a dimension. Run in the directory of the points-*.dat files.
set terminal svg size 900,640 font "sans,11" noenhanced
set key autotitle columnhead outside right
set xlabel "truth (nats)"
set ylabel "estimate (nats)"
set grid lc rgb "#dddddd"
files(channel) = system(sprintf("ls points-%s-*.dat | sort -t- -k3 -n", channel))
dimension(file) = system(sprintf("echo %s | sed 's/.*-\\([0-9]*\\).dat/\\1/'", file))
do for [channel in "gaussian cubic symmetric mixture"] {
  list = files(channel)
  if (words(list) == 0) { continue }
  set output sprintf("%s.svg", channel)
  rows = words(list) > 1 ? 2 : 1
  set multiplot layout rows, (words(list) + rows - 1) / rows title channel
  do for [file in list] {
    set title sprintf("dimension %s", dimension(file))
    stats file using 1 nooutput
    columns = STATS_columns
    set xrange [0:STATS_max]
    set yrange [-0.5:1.6 * STATS_max]
    plot x with lines lc rgb "black" lw 2 title "truth", for [i = 2:columns] file using 1:i with linespoints lt i pt 7 ps 0.4
  }
  unset multiplot
}
