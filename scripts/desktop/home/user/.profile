[ "$(tty)" != /dev/tty1 ] || exec startx > "$HOME/x.log" 2>&1
