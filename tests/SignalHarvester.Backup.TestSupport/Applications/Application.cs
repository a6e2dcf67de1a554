using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Xunit;

namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>
/// An application as a process of its own, with an SQLite of its own: two libraries in one process would not see each other's locks.
/// It does what it is told, one command after another.
/// </summary>
public sealed class Application : IDisposable
{
    // For a process that hangs, and never for a slow one.
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly Task<string> error;
    private TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Application(Process process, ApplicationOptions options)
    {
        this.process = process;
        error = process.StandardError.ReadToEndAsync();
        Options = options;
    }

    public ApplicationOptions Options { get; }

    public int Id => process.Id;

    /// <summary>The version of its SQLite.</summary>
    public Version SqliteVersion { get; private set; } = new();

    /// <summary>Whether the process is there.</summary>
    public bool IsRunning => !process.HasExited;

    /// <summary>Completes when the process stands before a call that <see cref="StopBeforeLockAsync"/> or <see cref="StopAfterHeaderAsync"/> chose.</summary>
    public Task Stopped => stopped.Task;

    /// <summary>Starts an application; skips the running test, visibly, where this machine has no Python, or not that library.</summary>
    public static async Task<Application> StartAsync(ApplicationOptions options)
    {
        // pyenv and the like have a Python of their own, with an SQLite of their own.
        const string Debians = "/usr/bin/python3";
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the application is made for Linux");
        var python = File.Exists(Debians) ? Debians : Tool.Find("python3");
        Assert.SkipWhen(python is null, Tool.SkipReason("python3") ?? "");
        var program = Path.Combine(AppContext.BaseDirectory, "Applications", "application.py");
        var start = new ProcessStartInfo(python!, ["-I", "-S", "-B", program, options.ToJson()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (LibraryPath(options.Library) is { } library)
        {
            // Separated by spaces and colons, which cannot be escaped, and what is not found there is only a line on standard error.
            start.WorkingDirectory = Path.GetDirectoryName(library)!;
            start.Environment["LD_PRELOAD"] = "./" + Path.GetFileName(library);
        }

        var application = new Application(
            Process.Start(start) ?? throw new InvalidOperationException("The application did not start."), options);
        try
        {
            application.SqliteVersion = Version.Parse((await application.ReadAsync()).GetProperty("version").GetString()!);
            var wanted = VersionOf(options.Library);
            return wanted is null || wanted == application.SqliteVersion ? application
                : throw new InvalidOperationException($"The application has SQLite {application.SqliteVersion} instead of {wanted}.");
        }
        catch
        {
            application.Dispose();
            throw;
        }
    }

    /// <summary>The reason to skip what needs this library; null if it is here.</summary>
    public static string? SkipReason(ApplicationLibrary library) =>
        LibraryPath(library) is { } path && !File.Exists(path) ? $"no SQLite library '{library}' for this processor" : null;

    /// <summary>Opens the database.</summary>
    public Task<ApplicationAnswer> OpenAsync() => SendAsync(new { @do = "open" });

    /// <summary>Closes its connection, as an application does that ends orderly.</summary>
    public Task<ApplicationAnswer> CloseAsync() => SendAsync(new { @do = "close" });

    /// <summary>Runs one statement; the answer has its rows.</summary>
    public Task<ApplicationAnswer> ExecuteAsync(string sql) => SendAsync(new { @do = "execute", sql });

    /// <summary>Runs transactions of a random mix, as fast as it can.</summary>
    /// <param name="count">Their number.</param>
    /// <param name="mostChanges">The most changes of a transaction; half of them have one.</param>
    public async Task<WorkAnswer> WorkAsync(int count, int mostChanges = 20)
    {
        var done = (await SendAsync(new { @do = "work", count, most = mostChanges })).Value;
        return new WorkAnswer(
            done.GetProperty("committed").GetInt32(),
            done.GetProperty("rolled_back").GetInt32(),
            done.GetProperty("refused").GetInt32(),
            done.GetProperty("last").GetInt64());
    }

    /// <summary>Checkpoints its log.</summary>
    /// <param name="mode">PASSIVE, FULL, RESTART or TRUNCATE.</param>
    public async Task<CheckpointAnswer> CheckpointAsync(string mode)
    {
        var answer = await SendAsync(new { @do = "checkpoint", mode });
        return new CheckpointAnswer(
            answer.Value[0].GetInt32() != 0, answer.Value[1].GetInt32(), answer.Value[2].GetInt32(), answer.Elapsed);
    }

    /// <summary>Calls SQLite's own xShmLock, and returns its code; 5 is busy.</summary>
    /// <param name="slot">The first lock: 0 writer, 1 checkpointer, 2 recovery, 3 to 7 the readers' slots 0 to 4.</param>
    /// <param name="count">The number of locks.</param>
    /// <param name="call">What to do with them.</param>
    public async Task<int> LockAsync(int slot, int count, ShmLockCall call) =>
        (await SendAsync(new { @do = "lock", slot, count, flags = (int)call })).Value.GetInt32();

    /// <summary>Returns the first 136 bytes of the wal-index: two copies of its header, and the state of checkpoints.</summary>
    public async Task<byte[]> ReadIndexAsync() => Convert.FromHexString((await SendAsync(new { @do = "header" })).Value.GetString()!);

    /// <summary>Has the process stop before a later call of xShmLock, as if the scheduler had taken the processor away there.</summary>
    /// <param name="slot">The first lock that the call is about.</param>
    /// <param name="call">What it does.</param>
    /// <param name="skip">The number of such calls that it does not stop before.</param>
    public Task StopBeforeLockAsync(int slot, ShmLockCall call, int skip = 0) => StopAsync([slot, (int)call], skip);

    /// <summary>
    /// Has the process stop in its next checkpoint, after it has read a header of the wal-index that it did not know, and before it
    /// looks at anything else there.
    /// </summary>
    public Task StopAfterHeaderAsync() => StopAsync([], skip: 0);

    /// <summary>Lets the process go on.</summary>
    public void GoOn()
    {
        stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.StandardInput.WriteLine("go");
        process.StandardInput.Flush();
    }

    /// <summary>Dies halfway through writing the header of the wal-index, whose two copies differ from then on.</summary>
    public async Task TearIndexAndDieAsync()
    {
        await Assert.ThrowsAnyAsync<IOException>(() => SendAsync(new { @do = "tear" }));
        await process.WaitForExitAsync();
    }

    /// <summary>Reads an image of such a database from first to last; the process need not have it open.</summary>
    public async Task<ImageReport> CheckAsync(string path)
    {
        var report = (await SendAsync(new { @do = "check", path })).Value;
        return new ImageReport(
            [.. report.GetProperty("problems").EnumerateArray().Select(problem => problem.GetString()!)],
            [.. report.GetProperty("digests").EnumerateArray().Select(digest => digest.GetInt64())]);
    }

    /// <summary>Ends the process at once, whatever it is doing.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>Lets the process end by itself, which closes its connection.</summary>
    public async Task EndAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Hang);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        process.Dispose();
    }

    /// <summary>The version that a library must have; null if any will do.</summary>
    private static Version? VersionOf(ApplicationLibrary library)
    {
        using var inProcess = new SqliteConnection();
        return library switch
        {
            ApplicationLibrary.Old => new Version(3, 28, 0),
            ApplicationLibrary.Bundled => Version.Parse(inProcess.ServerVersion),
            _ => null,
        };
    }

    private static string? LibraryPath(ApplicationLibrary library)
    {
        var processor = RuntimeInformation.OSArchitecture == Architecture.X64 ? "linux-x64" : "linux-arm64";
        return library switch
        {
            ApplicationLibrary.Old => Path.Combine(AppContext.BaseDirectory, "Applications", processor, "libe_sqlite3-3.28.0.so"),
            ApplicationLibrary.Bundled => Path.Combine(AppContext.BaseDirectory, "runtimes", processor, "native", "libe_sqlite3.so"),
            _ => null,
        };
    }

    private async Task StopAsync(int[] call, int skip)
    {
        stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = (await SendAsync(new { @do = "stop", call, skip })).Value;
    }

    private async Task<ApplicationAnswer> SendAsync<T>(T command)
    {
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command));
        await process.StandardInput.FlushAsync();
        while (true)
        {
            var answer = await ReadAsync();
            if (!answer.TryGetProperty("stopped", out _))
            {
                return ApplicationAnswer.FromJson(answer);
            }

            stopped.TrySetResult();
        }
    }

    private async Task<JsonElement> ReadAsync()
    {
        using var hang = new CancellationTokenSource(Hang);
        if (await process.StandardOutput.ReadLineAsync(hang.Token) is { } line)
        {
            return JsonElement.Parse(line);
        }

        throw new EndOfStreamException("The application ended: " + await error);
    }
}
