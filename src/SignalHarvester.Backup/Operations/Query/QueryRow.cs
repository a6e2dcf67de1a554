namespace SignalHarvester.Backup.Operations.Query;

/// <summary>A row of a query's result.</summary>
/// <param name="Columns">The names of the columns, each one different from the others, whatever the case of its letters.</param>
/// <param name="Values">Their values: a 64-bit integer, a double, a string, an array of bytes, or null.</param>
public sealed record QueryRow(IReadOnlyList<string> Columns, IReadOnlyList<object?> Values)
{
    /// <summary>Bytes of memory that its texts and bytes take.</summary>
    public long Bytes
    {
        get
        {
            long bytes = 0;
            foreach (var value in Values)
            {
                bytes += value switch
                {
                    string text => sizeof(char) * (long)text.Length,
                    byte[] blob => blob.Length,
                    _ => 0,
                };
            }

            return bytes;
        }
    }
}
