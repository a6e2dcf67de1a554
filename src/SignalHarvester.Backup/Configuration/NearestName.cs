namespace SignalHarvester.Backup.Configuration;

/// <summary>Guesses which name was meant.</summary>
internal static class NearestName
{
    private const int MostEdits = 3;

    /// <summary>Returns the name that is nearest to a mistyped one; null if none is near enough.</summary>
    /// <param name="typed">The mistyped name.</param>
    /// <param name="names">The existing names.</param>
    public static string? Of(string typed, IEnumerable<string> names)
    {
        // If more than a third of the letters differ, it is no guess.
        var most = Math.Min(MostEdits, Math.Max(1, typed.Length / 3));
        return names
            .Where(name => Math.Abs(name.Length - typed.Length) <= most)
            .Select(name => (Name: name, Edits: Edits(typed, name)))
            .Where(guess => guess.Edits <= most)
            .OrderBy(guess => guess.Edits)
            .Select(guess => guess.Name)
            .FirstOrDefault();
    }

    /// <summary>Counts the letters that were left out, added, changed or swapped with their neighbour (optimal string alignment).</summary>
    private static int Edits(string typed, string name)
    {
        typed = typed.ToUpperInvariant().Replace('-', '_');
        name = name.ToUpperInvariant();
        var edits = new int[typed.Length + 1, name.Length + 1];
        for (var i = 0; i <= typed.Length; i++)
        {
            for (var j = 0; j <= name.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    edits[i, j] = i + j;
                    continue;
                }

                var change = edits[i - 1, j - 1] + (typed[i - 1] == name[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(change, Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
                if (i > 1 && j > 1 && typed[i - 1] == name[j - 2] && typed[i - 2] == name[j - 1])
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[typed.Length, name.Length];
    }
}
