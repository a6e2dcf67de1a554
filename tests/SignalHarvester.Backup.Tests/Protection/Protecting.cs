using System.Collections.Concurrent;
using System.Diagnostics;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>The protection of one database, on a thread of this process, which opens none of the database's files otherwise.</summary>
internal sealed class Protecting : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stop = new();
    private readonly BackupDirectory directory;
    private readonly Action<OperationEvent> onEvent;
    private readonly Task<IReadOnlyList<ProtectionOutcome>> running;

    /// <param name="database">The database.</param>
    /// <param name="backups">The backup directory.</param>
    /// <param name="store">The store.</param>
    /// <param name="options">The options; null for those of a test.</param>
    /// <param name="identities">The secrets; null for none.</param>
    /// <param name="onEvent">Called for every report, on the thread that makes it.</param>
    public Protecting(
        string database,
        string backups,
        StoreCatalog store,
        ProtectionOptions? options = null,
        IdentityRing? identities = null,
        Action<OperationEvent>? onEvent = null)
    {
        this.onEvent = onEvent ?? (_ => { });
        directory = new BackupDirectory(backups, TimeProvider.System);
        var context = new OperationContext(TimeProvider.System, Report, stop.Token) { Identities = identities ?? IdentityRing.Empty };
        var entries = ProtectionHost.Resolve([(database, directory)], store, context);
        running = Task.Run(() => ProtectionHost.Run(entries, store, options ?? new ProtectionOptions { CreatesContainer = true }, context));
    }

    public ConcurrentQueue<OperationEvent> Messages { get; } = [];

    public string Said => string.Join('\n', Messages.OfType<OperationMessage>().Select(message => message.Text));

    public BackupProtection Status => ProtectionHost.Find(directory).Single();

    /// <summary>Waits until the status is as wanted; a test never hangs for ever.</summary>
    public BackupProtection Await(Predicate<BackupProtection> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var status = ProtectionHost.Find(directory) is [var only] ? only : null;
            if (status is not null && isSo(status))
            {
                return status;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < Hang, $"It did not come: {status}\n{Said}");

            // A status is a file, which others write when they have something to show.
            Thread.Sleep(20);
        }
    }

    /// <summary>Waits until it follows, and everything that is committed is stored, twice in a row.</summary>
    public BackupProtection AwaitStored()
    {
        var looked = DateTimeOffset.UtcNow.AddMilliseconds(50);
        return Await(status => status.State == ProtectionState.Following && status.LastLook > looked && status.Transaction == status.StoredTransaction
            && status is { Lag.Ticks: 0, Segment: > 0 });
    }

    /// <summary>Stops it as Ctrl+C does, and returns its error, if it had one.</summary>
    public BackupException? Stop()
    {
        stop.Cancel();
        return End();
    }

    /// <summary>Stops it as Stop-SHBackupProtection does, and returns its error, if it had one.</summary>
    public BackupException? StopByRequest()
    {
        var database = Status.Database;
        _ = ProtectionHost.Stop(directory, database, Hang, new OperationContext(TimeProvider.System, Messages.Enqueue, CancellationToken.None));
        return End();
    }

    /// <summary>Waits for its end, and returns its error, if it had one.</summary>
    public BackupException? End() => running.WaitAsync(Hang).GetAwaiter().GetResult().Single().Fault;

    public void Dispose()
    {
        if (!running.IsCompleted)
        {
            _ = Stop();
        }

        stop.Dispose();
    }

    /// <summary>As the runner of cmdlets does: a message waits until it is written, and a stop ends that.</summary>
    private void Report(OperationEvent reported)
    {
        Messages.Enqueue(reported);
        onEvent(reported);
        if (reported is OperationMessage)
        {
            stop.Token.ThrowIfCancellationRequested();
        }
    }
}
