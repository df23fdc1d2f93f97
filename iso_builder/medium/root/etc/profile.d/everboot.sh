# The first screen's terminal and the serial port begin with a greeting; others are plain shells.
case $(tty) in
/dev/tty1 | /dev/ttyS0)
    # A window of its own, where the medium has one.
    if [ -x /usr/lib/everboot/window ] && [ "$(tty)" = /dev/tty1 ]; then
        /usr/lib/everboot/window
    fi
    /usr/lib/everboot/greeting
    ;;
esac
