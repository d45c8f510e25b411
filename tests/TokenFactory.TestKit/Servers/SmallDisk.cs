using System.ComponentModel;
using System.Diagnostics;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Servers;

/// <summary>A file system of a few megabytes in memory that can be filled to the last byte. Mounting needs root.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private const int NoSpaceLeft = 28;

    private readonly TempFolder _folder;

    private SmallDisk(TempFolder folder) => _folder = folder;

    public string Path => _folder.Path;

    private string Ballast => _folder.File("ballast");

    /// <returns>Null when this machine lets nobody mount: no root, or a container without the right.</returns>
    public static async Task<SmallDisk?> TryMountAsync(int megabytes)
    {
        var folder = new TempFolder();
        if (await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0777", "tmpfs", folder.Path))
        {
            return new SmallDisk(folder);
        }

        folder.Dispose();
        return null;
    }

    /// <summary>Nothing can be written any more.</summary>
    public void Fill()
    {
        using var ballast = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var bytes = new byte[64 * 1024]; bytes.Length >= 512;)
        {
            try
            {
                ballast.Write(bytes);
            }
            catch (IOException full) when ((full.HResult & 0xffff) == NoSpaceLeft)
            {
                bytes = new byte[bytes.Length / 2];
            }
        }
    }

    /// <summary>Gives the space back.</summary>
    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        // Lazily: a server that was killed may hold a file for a moment more.
        if (await RunAsync("umount", "-l", _folder.Path))
        {
            _folder.Dispose();
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }
}
