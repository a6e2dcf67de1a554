namespace SignalHarvester.Backup;

/// <summary>The calendar rule that a backup was made for. A backup without one is manual.</summary>
public enum RetentionPolicy
{
    /// <summary>Made by the daily run.</summary>
    Daily,

    /// <summary>Made by the weekly run.</summary>
    Weekly,

    /// <summary>Made by the monthly run.</summary>
    Monthly,
}
