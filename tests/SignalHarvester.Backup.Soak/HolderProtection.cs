using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading.Channels;

namespace SignalHarvester.Backup.Soak;

/// <summary>The log's holder in a process of its own, whose image is compared with the database byte by byte.</summary>
internal sealed class HolderProtection(string database, string work, Tally tally) : IProtection
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string image = Path.Combine(work, "followed.db");
    private readonly string state = Path.Combine(work, "follow.json");
    private Process? process;
    private Task reading = Task.CompletedTask;
    private Channel<string> rests = Channel.CreateUnbounded<string>();
    private volatile bool isKilled;

    public Task StartAsync()
    {
        isKilled = false;
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        process = Process.Start(new ProcessStartInfo(
            dotnet, ["exec", Path.Combine(AppContext.BaseDirectory, "SignalHarvester.Backup.Soak.dll"), Follow.Verb, database, image, state])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        rests = Channel.CreateUnbounded<string>();
        reading = Task.Run(() => ReadAsync(process, rests.Writer));
        return Task.CompletedTask;
    }

    public void Kill()
    {
        isKilled = true;
        process!.Kill();
        process.WaitForExit();
        reading.GetAwaiter().GetResult();
        process.Dispose();
    }

    public async Task EndAsync()
    {
        await TellAsync("end");
        await process!.WaitForExitAsync().WaitAsync(Patience);
        await reading;
        if (process.ExitCode != 0)
        {
            tally.Problem($"the holder ended with {process.ExitCode}");
        }
    }

    public async Task CheckAsync(Application reader, IReadOnlyList<TransactionRecord> journal, Action goOn, bool isEnd)
    {
        if (isEnd)
        {
            await EndAsync();
            if (File.Exists(database + "-wal"))
            {
                tally.Problem("the holder was the last, and left a log");
            }

            await CompareAsync();
        }
        else
        {
            await TellAsync("look");
            try
            {
                await await Task.WhenAny(rests.Reader.ReadAsync().AsTask(), reading).WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                tally.Problem("the holder did not come to rest");
                goOn();
                return;
            }

            await CompareAsync();
        }

        var copy = image + ".copy";
        await CopyAsync(image, copy);
        if (!isEnd)
        {
            await TellAsync("on");
        }

        goOn();
        foreach (var problem in (await reader.CheckAsync(copy)).ProblemsBeside(journal))
        {
            tally.Problem("the followed image: " + problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            Kill();
        }

        await reading;
    }

    private async Task CompareAsync()
    {
        tally.Add("compared");
        if (!Hash(database).AsSpan().SequenceEqual(Hash(image)))
        {
            await CopyAsync(database, database + ".differs");
            await CopyAsync(image, image + ".differs");
            tally.Problem("the followed image is not the database");
        }
    }

    private async Task TellAsync(string order)
    {
        await process!.StandardInput.WriteLineAsync(order);
        await process.StandardInput.FlushAsync();
    }

    private async Task ReadAsync(Process from, ChannelWriter<string> to)
    {
        while (await from.StandardOutput.ReadLineAsync() is { } line)
        {
            switch (line.Split(' ', 2))
            {
                case ["rest"]:
                    await to.WriteAsync(line);
                    break;
                case ["base"]:
                    tally.Add("holder: began with a copy");
                    await CopyAsync(database, image);
                    await GoOnAsync(from);
                    break;
                case ["commits", var count]:
                    tally.Add("holder: commits", long.Parse(count, System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case ["lost", var reason] when tally.IsRecent(SoakWriter.Torn, TimeSpan.FromSeconds(2)):
                    // A recovery begins the index's count of commits anew, so a log that is begun anew just then proves nothing.
                    tally.Add("holder: gaps after a torn index: " + reason);
                    break;
                case ["lost", var reason]:
                    tally.Problem("a gap: " + reason);
                    break;
                default:
                    tally.Add("holder: " + line);
                    break;
            }
        }

        to.TryComplete();
        await from.WaitForExitAsync();
        if (!isKilled && from.ExitCode != 0)
        {
            tally.Problem($"the holder died with {from.ExitCode}");
        }
    }

    private async Task GoOnAsync(Process holder)
    {
        try
        {
            await holder.StandardInput.WriteLineAsync("on");
            await holder.StandardInput.FlushAsync();
        }
        catch (IOException) when (isKilled)
        {
            // It was killed during the copy, which the next one asks for again.
        }
    }

    /// <summary>Copies a file that others have open, into the file that is there.</summary>
    private static async Task CopyAsync(string from, string to)
    {
        const FileShare All = FileShare.ReadWrite | FileShare.Delete;
        await using var source = new FileStream(from, FileMode.Open, FileAccess.Read, All);
        await using var target = new FileStream(to, FileMode.OpenOrCreate, FileAccess.Write, All);
        await source.CopyToAsync(target);
        target.SetLength(source.Position);
    }

    private static byte[] Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return SHA256.HashData(file);
    }
}
