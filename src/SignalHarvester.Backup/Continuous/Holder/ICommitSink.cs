namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>Takes what a holder reads. The holder calls it on the thread that looks.</summary>
internal interface ICommitSink
{
    /// <summary>Begins a reading.</summary>
    CommitCollector Begin();

    /// <summary>Takes the commits of a reading whose completeness is proved.</summary>
    void Accept(CommitCollector commits);

    /// <summary>Hears that commits may be missing: what was accepted before, and what will be, are not proved to join.</summary>
    /// <param name="reason">Why, as a clause.</param>
    void Lost(string reason);
}
