namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The findings of a check of a database.</summary>
/// <param name="Check">The check that was made, and the parts that it could not check.</param>
/// <param name="Damage">What is wrong with the database; empty for a sound one.</param>
/// <param name="Inconsistencies">
/// The inconsistencies of a sound database, with their repair: an index that is older than its table, or a value that a rule of
/// the schema forbids. A backup of it is a true image.
/// </param>
internal sealed record IntegrityReport(string Check, IReadOnlyList<string> Damage, IReadOnlyList<string> Inconsistencies)
{
    /// <summary>The outcome in a sentence, which states the error if there is damage.</summary>
    public string Summary => Damage.Count > 0 ? $"{Check} found: " + string.Join("; ", Damage.Select(finding => finding.TrimEnd('.')))
        : Inconsistencies.Count > 0 ? $"{Check} is ok, except for inconsistencies: {string.Join("; ", Inconsistencies)}"
        : $"{Check} is ok";
}
