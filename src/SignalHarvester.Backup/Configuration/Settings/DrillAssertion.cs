namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>A query of a restore drill on the restored database.</summary>
/// <param name="Query">The SQL query, which returns one value.</param>
/// <param name="Expect">The expected value, as text: a value, or a comparison such as <c>&gt; 0</c>.</param>
public sealed record DrillAssertion(string Query, string Expect);
