# The same, with the two runtime settings that the gateway ships: socket completions run on the thread that saw the event,
# idle pool threads sleep instead of spinning.
source "$HERE/peers.d/yarp.sh"
start() {
    export DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1 DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0
    exec dotnet "$DLL" "$PORT" "$UPSTREAM"
}
