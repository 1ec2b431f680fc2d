# Keeps one server for somebody, and ends it when that somebody is gone, however that came about. The input of this script is a pipe
# whose other end nobody else holds: when it closes, be it by an order or by a kill -9, the server ends and the directory goes.
#
# Arguments: the directory, the signal that ends the server at once, and the server's command. Orders, one a line:
#   start WORDS...   starts the server, with these words after its command, and says its process id
#   reap             says "reaped" when the server has ended
directory=$1
last_signal=$2
shift 2
server=

# A PostgreSQL that was killed leaves a segment of shared memory behind. The seventh line of this file names it.
tidy() {
    lock=$directory/data/postmaster.pid
    [ -f "$lock" ] || return 0
    segment=$(sed -n '7s/.* //p' "$lock")
    [ -z "$segment" ] || ipcrm -m "$segment"
}

while read -r order words; do
    case $order in
    start)
        # shellcheck disable=SC2086 # Words are words.
        "$@" $words </dev/null >>"$directory/log" 2>&1 &
        server=$!
        echo "$server"
        ;;
    reap)
        wait "$server"
        server=
        tidy
        echo reaped
        ;;
    esac
done

if [ -n "$server" ]; then
    # It may have been paused, and what is paused does not end.
    kill -CONT "$server"
    kill -"$last_signal" "$server"
    { sleep 10; kill -KILL "$server"; } &
    timer=$!
    wait "$server"
    kill "$timer"
fi
tidy

# Whoever prepares the directory may be at it still, if all ended at a bad moment.
for _ in 1 2 3 4 5; do
    rm -rf -- "$directory"
    [ -e "$directory" ] || break
    sleep 1
done
