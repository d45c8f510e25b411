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

    /// <returns>False when there is no such process any more, or it is not ours.</returns>
    public static bool TrySend(int processId, int signal) => KillSystemCall(processId, signal) == 0;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int KillSystemCall(int processId, int signal);
}
