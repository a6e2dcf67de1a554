namespace SignalHarvester.Backup.Soak;

/// <summary>Nobody follows: the database itself is held against the journal.</summary>
internal sealed class NoProtection(string database, Tally tally) : IProtection
{
    public Task StartAsync() => Task.CompletedTask;

    public void Kill()
    {
    }

    public Task EndAsync() => Task.CompletedTask;

    public async Task CheckAsync(Application reader, IReadOnlyList<TransactionRecord> journal, Action goOn, bool isEnd)
    {
        foreach (var problem in (await reader.CheckAsync(database)).ProblemsBeside(journal))
        {
            tally.Problem("the database: " + problem);
        }

        goOn();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
