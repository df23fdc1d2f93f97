# The first screen shows the window, and a terminal once that has ended; the second screen
# (Ctrl+Alt+F2) and the serial port begin with a greeting. Others are plain shells.
case $(tty) in
/dev/tty1)
    /usr/lib/everboot/window
    /usr/lib/everboot/greeting
    ;;
/dev/tty2 | /dev/ttyS0)
    /usr/lib/everboot/greeting
    ;;
esac
