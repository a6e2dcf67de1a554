namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>What a restore drill asks of the database that it restored.</summary>
/// <param name="Query">The SQL query, which gives one value.</param>
/// <param name="Expect">What the value must be, as text: a value, or a comparison such as <c>&gt; 0</c>.</param>
public sealed record DrillAssertion(string Query, string Expect);
