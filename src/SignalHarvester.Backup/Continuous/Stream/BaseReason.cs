namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>Why a stream continues from an ordinary backup. The numbers are those of the format.</summary>
internal enum BaseReason
{
    /// <summary>The stream begins here.</summary>
    Start = 1,

    /// <summary>Transactions were missed, or it is not certain that none was.</summary>
    Gap = 2,

    /// <summary>Another file is in the database's place.</summary>
    Replaced = 3,

    /// <summary>So much was written at once that an ordinary backup holds it better.</summary>
    Bulk = 4,

    /// <summary>Another writer took over.</summary>
    Takeover = 5,
}
