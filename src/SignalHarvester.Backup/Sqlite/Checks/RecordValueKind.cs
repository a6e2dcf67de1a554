namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The kinds of values in a <see cref="RecordBuffer"/>, in SQLite's order; integers and reals are ordered as numbers.</summary>
internal enum RecordValueKind : byte
{
    /// <summary>NULL.</summary>
    Null,

    /// <summary>An integer of 64 bits.</summary>
    Integer,

    /// <summary>A number that is not such an integer.</summary>
    Real,

    /// <summary>A text, in the encoding of the database.</summary>
    Text,

    /// <summary>A blob.</summary>
    Blob,
}
