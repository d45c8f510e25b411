namespace TokenFactory.Gateway.Hosting;

/// <summary>
/// On Linux, lets a socket's continuation run on the thread that saw the event instead of being queued to the pool: one hop
/// less per read of a backend's stream. Code on that path must not block, or it holds every socket of its event loop;
/// an operator who suspects that sets the variable to 0. The runtime reads it when the first socket is made, so this is
/// the first thing a server does; child processes are not started.
/// </summary>
internal static class SocketDefaults
{
    public const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    public static void Apply()
    {
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }
    }
}
