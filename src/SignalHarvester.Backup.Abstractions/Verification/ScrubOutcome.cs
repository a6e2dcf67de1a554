namespace SignalHarvester.Backup;

/// <summary>What a scrub found of one backup's stored file.</summary>
public enum ScrubOutcome
{
    /// <summary>The file is as it was recorded, as far as that was recorded; the reason says where it was not.</summary>
    Good,

    /// <summary>The file is another one than was recorded. It was put into the quarantine, and there was no good copy to mend it from.</summary>
    Damaged,

    /// <summary>The file was damaged or missing, and was fetched again from a copy. What was damaged is in the quarantine.</summary>
    Repaired,

    /// <summary>There is no file, and there was no good copy to mend that from. The backup stays listed.</summary>
    Missing,

    /// <summary>The file cannot be read now, which proves nothing. It was left as it is.</summary>
    Unreadable,
}
