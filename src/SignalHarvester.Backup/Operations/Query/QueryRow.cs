namespace SignalHarvester.Backup.Operations.Query;

/// <summary>A row of a query's result.</summary>
/// <param name="Columns">The names of the columns, each one different from the others, whatever the case of its letters.</param>
/// <param name="Values">Their values: a 64-bit integer, a double, a string, an array of bytes, or null.</param>
public sealed record QueryRow(IReadOnlyList<string> Columns, IReadOnlyList<object?> Values);
