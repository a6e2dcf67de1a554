namespace SignalHarvester.Backup;

/// <summary>The retention policy of a backup. A backup without one is manual.</summary>
public enum RetentionPolicy : long
{
    /// <summary>Made by the daily run.</summary>
    Daily,

    /// <summary>Made by the weekly run.</summary>
    Weekly,

    /// <summary>Made by the monthly run.</summary>
    Monthly,
}
