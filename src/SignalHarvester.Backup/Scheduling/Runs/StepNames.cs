namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>What the steps of a run are called in its record.</summary>
internal static class StepNames
{
    /// <summary>Finds the databases.</summary>
    public const string List = nameof(List);

    /// <summary>Makes a backup.</summary>
    public const string Create = nameof(Create);

    /// <summary>Verifies it.</summary>
    public const string Verify = nameof(Verify);

    /// <summary>Sends it to the stores.</summary>
    public const string Upload = nameof(Upload);

    /// <summary>Removes what is not kept.</summary>
    public const string Retention = nameof(Retention);

    /// <summary>Restores one to a temporary place and questions it.</summary>
    public const string Drill = nameof(Drill);

    /// <summary>Reads stored files again.</summary>
    public const string Scrub = nameof(Scrub);
}
