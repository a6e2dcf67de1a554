namespace SignalHarvester.Backup;

/// <summary>The kinds of operations in the history of a backup directory.</summary>
public enum BackupOperation : long
{
    /// <summary>A backup was made.</summary>
    Create,

    /// <summary>A backup was tested.</summary>
    Verify,

    /// <summary>A backup was sent to an object store.</summary>
    Upload,

    /// <summary>A backup was restored.</summary>
    Restore,

    /// <summary>A backup was removed on request.</summary>
    Remove,

    /// <summary>A backup was removed because no retention rule kept it, or the rules ran and found nothing to remove.</summary>
    Retention,

    /// <summary>An increment became a full backup.</summary>
    Merge,

    /// <summary>A backup was encrypted to other keys.</summary>
    Protect,

    /// <summary>A backup was fetched from an object store.</summary>
    Receive,

    /// <summary>A backup was restored to a temporary place, as a test.</summary>
    Drill,

    /// <summary>A schedule ran, with all its steps.</summary>
    Schedule,

    /// <summary>A scrub re-read stored files, or found a bad one.</summary>
    Scrub,

    /// <summary>Continuous protection of a database began, with everything stored up to then.</summary>
    StreamStart,

    /// <summary>A backup took the place of transactions that may have been missed.</summary>
    StreamGap,

    /// <summary>Pages of a database differ although no transaction of its stream has written them. It counts as a failure.</summary>
    StreamAudit,

    /// <summary>Another writer has continued the stream of a database.</summary>
    StreamFence,

    /// <summary>Continuous protection of a database ended: it was stopped, or failed.</summary>
    StreamStop,

    /// <summary>The newest transaction of a stream was restored to a temporary place, as a test.</summary>
    StreamDrill,
}
