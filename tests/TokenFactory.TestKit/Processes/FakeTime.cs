namespace TokenFactory.TestKit.Processes;

/// <summary>The system's libfaketime: a process that is started with it sees a wall clock that is off.</summary>
public static class FakeTime
{
    /// <param name="offset">As faketime spells it: <c>+2h</c>, <c>-2h</c>.</param>
    /// <returns>What the process needs in its environment. Its monotonic clock stays the machine's: it measures, it does not tell the time.</returns>
    public static (string Name, string Value)[] Environment(string offset) =>
        [("LD_PRELOAD", Library()), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")];

    private static string Library() =>
        Directory.GetDirectories("/usr/lib").Prepend("/usr/lib64").Prepend("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("libfaketime is not installed; install the system's package faketime (./test does).");
}
