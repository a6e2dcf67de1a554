using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Hears from Linux when files are written, moved or deleted (https://man7.org/linux/man-pages/man7/inotify.7.html). It opens none of them. What
/// is written through mapped memory is not heard, nor what another machine writes.
/// </summary>
internal sealed unsafe partial class FileNews : IDisposable
{
    /// <summary>Stands for any file: more has happened than the system has kept.</summary>
    public const int AnyFile = -1;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const uint Modified = 0x2;
    private const uint AttributesChanged = 0x4;
    private const uint DeletedItself = 0x400;
    private const uint MovedItself = 0x800;
    private const uint Forgotten = 0x8000;
    private const short HasInput = 1;

    // Without names, as these are of the files themselves, each event has the size of its head.
    private const int EventSize = 16;
    private const int MostEvents = 256;

    private readonly SafeFileHandle events;
    private readonly SafeFileHandle wake;

    private FileNews(SafeFileHandle events, SafeFileHandle wake)
    {
        this.events = events;
        this.wake = wake;
    }

    /// <summary>Opens it; null on another system than Linux, or where the system allows this account no more.</summary>
    public static FileNews? TryOpen()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var events = Begin(CloseOnExec | NonBlocking);
        var wake = EventFile(0, CloseOnExec | NonBlocking);
        if (!events.IsInvalid && !wake.IsInvalid)
        {
            return new FileNews(events, wake);
        }

        events.Dispose();
        wake.Dispose();
        return null;
    }

    /// <summary>Listens to a file from now on.</summary>
    /// <returns>The number under which it is heard; null if it is not there, or the system allows this account no more.</returns>
    public int? Listen(string path) =>
        AddWatch(events, path, Modified | AttributesChanged | DeletedItself | MovedItself) is >= 0 and var number ? number : null;

    /// <summary>Listens to a file no longer.</summary>
    public void Forget(int number) => _ = RemoveWatch(events, number);

    /// <summary>Waits until something is heard.</summary>
    /// <param name="patience">How long, at most.</param>
    /// <returns>The numbers of the files, among them perhaps some that were just forgotten; none after that time, and after <see cref="Wake"/>.</returns>
    public IReadOnlySet<int> Wait(TimeSpan patience)
    {
        var heard = new HashSet<int>();
        var waited = stackalloc PollEntry[] { new(Descriptor(events)), new(Descriptor(wake)) };
        if (Poll(waited, 2, (int)patience.TotalMilliseconds) <= 0 || (waited[0].Seen & HasInput) == 0)
        {
            return heard;
        }

        var buffer = stackalloc byte[EventSize * MostEvents];
        for (var length = Read(events, buffer, EventSize * MostEvents); length >= EventSize; length -= EventSize, buffer += EventSize)
        {
            if ((((uint*)buffer)[1] & Forgotten) == 0)
            {
                heard.Add(*(int*)buffer);
            }
        }

        return heard;
    }

    /// <summary>Ends the waiting, and each later one at once.</summary>
    public void Wake()
    {
        var one = 1UL;
        if (Write(wake, (byte*)&one, sizeof(ulong)) != sizeof(ulong))
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        events.Dispose();
        wake.Dispose();
    }

    private static int Descriptor(SafeFileHandle file) => (int)file.DangerousGetHandle();

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial SafeFileHandle Begin(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(SafeFileHandle events, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    private static partial int RemoveWatch(SafeFileHandle events, int number);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial SafeFileHandle EventFile(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte* bytes, nuint count);

    // struct pollfd.
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry(int descriptor)
    {
        public int Descriptor = descriptor;
        public short Awaited = HasInput;
        public short Seen;
    }
}
