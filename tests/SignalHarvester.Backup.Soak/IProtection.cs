namespace SignalHarvester.Backup.Soak;

/// <summary>What follows the database.</summary>
internal interface IProtection : IAsyncDisposable
{
    /// <summary>Starts its process, for the first time or after a kill.</summary>
    Task StartAsync();

    /// <summary>Kills its process, whatever it is doing.</summary>
    void Kill();

    /// <summary>Lets its process end orderly.</summary>
    Task EndAsync();

    /// <summary>
    /// Compares what it has with the database and with the journal. Called while no application does anything, and it is not killed.
    /// </summary>
    /// <param name="reader">Reads images.</param>
    /// <param name="journal">The applications' journal.</param>
    /// <param name="goOn">Called once it needs neither any more: applications go on, and it may be killed.</param>
    /// <param name="isEnd">Whether nothing may be missing.</param>
    Task CheckAsync(Application reader, IReadOnlyList<TransactionRecord> journal, Action goOn, bool isEnd);
}
