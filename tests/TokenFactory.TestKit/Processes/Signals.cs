using System.ComponentModel;
using System.Runtime.InteropServices;

namespace TokenFactory.TestKit.Processes;

/// <summary>Signals to one process by its id; the numbers are Linux's.</summary>
internal static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int processId, int signal)
    {
        if (!TrySend(processId, signal))
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Whoever is stopped stands still when this returns: a busy machine may let it run for a while after the signal.</summary>
    /// <returns>False when there is no such process any more, or it is not ours.</returns>
    public static bool TrySend(int processId, int signal)
    {
        var sent = KillSystemCall(processId, signal) == 0;
        if (sent && signal == Stop)
        {
            SpinWait.SpinUntil(() => StandsStill(processId), TimeSpan.FromSeconds(10));
        }

        return sent;
    }

    /// <summary>proc(5): the state is the field after the name in parentheses; stopped, dead and zombie threads do not run.</summary>
    private static bool StandsStill(int processId)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{processId}/task").Select(thread => File.ReadAllText(Path.Combine(thread, "stat")))
                .All(stat => stat[stat.LastIndexOf(')') + 2] is 'T' or 't' or 'Z' or 'X');
        }
        catch (IOException)
        {
            // A thread ended while it was looked at: look again.
            return !Directory.Exists($"/proc/{processId}");
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int KillSystemCall(int processId, int signal);
}
