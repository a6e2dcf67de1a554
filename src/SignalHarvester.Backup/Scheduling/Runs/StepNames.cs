namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>The names of a run's steps in its record.</summary>
internal static class StepNames
{
    /// <summary>Reads the settings file.</summary>
    public const string Settings = nameof(Settings);

    /// <summary>Finds the databases.</summary>
    public const string List = nameof(List);

    /// <summary>Makes a backup.</summary>
    public const string Create = nameof(Create);

    /// <summary>Verifies it.</summary>
    public const string Verify = nameof(Verify);

    /// <summary>Sends it to the stores.</summary>
    public const string Upload = nameof(Upload);

    /// <summary>Removes the backups that no rule keeps.</summary>
    public const string Retention = nameof(Retention);

    /// <summary>Restores a backup to a temporary place and queries it.</summary>
    public const string Drill = nameof(Drill);

    /// <summary>Protects a database continuously.</summary>
    public const string Protect = nameof(Protect);

    /// <summary>Reads stored files again.</summary>
    public const string Scrub = nameof(Scrub);
}
