namespace SignalHarvester.Backup;

/// <summary>The outcome of scrubbing one stored file.</summary>
public enum ScrubOutcome : long
{
    /// <summary>The file matches its record; the reason says if the record is incomplete.</summary>
    Good,

    /// <summary>The file differs from its record. It was quarantined, and there was no good copy to repair it.</summary>
    Damaged,

    /// <summary>The file was damaged or missing, and a copy replaced it. A damaged file is in quarantine.</summary>
    Repaired,

    /// <summary>The file is missing, and there was no good copy to replace it. The backup stays listed.</summary>
    Missing,

    /// <summary>The file cannot be read now, which proves no damage. It was left unchanged.</summary>
    Unreadable,
}
