using System.ComponentModel;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Storage;

/// <summary>Follows a link the way the operating system does.</summary>
internal static unsafe partial class LinkTarget
{
    /// <summary>Returns the full path of a link's final target; null if the path is no link.</summary>
    /// <exception cref="IOException">It leads nowhere, or in a circle.</exception>
    public static string? Of(string path)
    {
        var target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        if (target is null || OperatingSystem.IsWindows() || FileIdentity.Of(target) == FileIdentity.Of(path))
        {
            return target;
        }

        // .NET resolves '..' in a link as text. If a folder before it is itself a link, '..' leads elsewhere, to another file.
        var real = RealPath(path, 0);
        if (real is null)
        {
            var error = new Win32Exception(Marshal.GetLastPInvokeError());
            throw new IOException($"'{path}' does not lead to a file: {error.Message}.", error);
        }

        try
        {
            return Marshal.PtrToStringUTF8((nint)real);
        }
        finally
        {
            NativeMemory.Free(real);
        }
    }

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* RealPath(string path, nint resolved);
}
