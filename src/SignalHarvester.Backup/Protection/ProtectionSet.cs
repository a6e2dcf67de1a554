using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>The protections of a process, each with its run. Some are added, and some end, while the others go on.</summary>
/// <param name="context">Clock, messages.</param>
internal sealed class ProtectionSet(OperationContext context) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<DatabaseProtection, Task<ProtectionOutcome>> runs = [];

    /// <summary>All that are in it at this moment.</summary>
    public IReadOnlyList<DatabaseProtection> All
    {
        get
        {
            lock (gate)
            {
                return [.. runs.Keys];
            }
        }
    }

    /// <summary>Adds protections, and starts them.</summary>
    public void Start(IEnumerable<DatabaseProtection> protections)
    {
        lock (gate)
        {
            foreach (var protection in protections.ToList())
            {
                runs.Add(protection, RunAsync(protection));
            }
        }
    }

    /// <summary>Takes out one that has ended.</summary>
    public async Task RemoveAsync(DatabaseProtection ended)
    {
        Task run;
        lock (gate)
        {
            run = runs[ended];
            _ = runs.Remove(ended);
        }

        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ended.Dispose();
    }

    /// <summary>Waits until all that are in it have ended.</summary>
    /// <returns>How each has ended.</returns>
    public async Task<IReadOnlyList<ProtectionOutcome>> EndAsync()
    {
        Task<ProtectionOutcome>[] all;
        lock (gate)
        {
            all = [.. runs.Values];
        }

        return await Task.WhenAll(all).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var protection in All)
        {
            protection.Dispose();
        }
    }

    private async Task<ProtectionOutcome> RunAsync(DatabaseProtection protection)
    {
        // Its caller holds the gate.
        await Task.Yield();
        var began = context.Clock.GetTimestamp();
        BackupException? fault = null;
        try
        {
            await protection.RunAsync().ConfigureAwait(false);
        }
        catch (BackupException exception)
        {
            fault = exception;
            if (All.Any(other => other != protection && !other.HasEnded))
            {
                // Its error, which is reported at the end of all, is still far away.
                context.Warn($"The protection of '{protection.Path}' has ended: {exception.Message}");
            }
        }
        catch (Exception exception)
        {
            // It is an error of the whole command, which others may keep from ending for a long time.
            context.Warn($"The protection of '{protection.Path}' has ended unexpectedly: {exception.Message}");
            throw;
        }

        return new ProtectionOutcome(protection.Path, protection.Shown, context.Clock.GetElapsedTime(began), fault);
    }
}
