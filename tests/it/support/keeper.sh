# Runs a server for as long as somebody holds our standard input: the test process may end in any way.
# usage: sh -c "$(cat keeper.sh)" keeper DIRECTORY SIGNAL COMMAND [ARGUMENT…]
directory=$1
signal=$2
shift 2
ulimit -n "$(ulimit -Hn)" # A thousand connections are more than most machines allow unasked.
"$@" </dev/null >&2 &
server=$!
echo "$server"
read -r _
kill -s "$signal" "$server" 2>/dev/null
wait "$server"
rm -rf "$directory"
