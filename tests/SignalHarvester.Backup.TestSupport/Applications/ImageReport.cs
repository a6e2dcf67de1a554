namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>What an image of an application's database holds.</summary>
/// <param name="Problems">What is wrong with it in itself: damage, a hole in the ledger, items of no or of another transaction.</param>
/// <param name="Digests">The digests of its transactions, from number 1.</param>
public sealed record ImageReport(IReadOnlyList<string> Problems, IReadOnlyList<long> Digests)
{
    /// <summary>The number of its last transaction.</summary>
    public int Transactions => Digests.Count;

    /// <summary>Everything that is wrong with it, as the image at some moment of a database with this journal.</summary>
    public IReadOnlyList<string> ProblemsBeside(IReadOnlyList<TransactionRecord> journal)
    {
        List<string> problems = [.. Problems];
        if (Digests.Count > journal.Count)
        {
            problems.Add($"it has {Digests.Count} transactions, but only {journal.Count} were begun");
        }

        var differs = Digests.Zip(journal).Index().FirstOrDefault(pair => pair.Item.First != pair.Item.Second.Digest, (-1, default));
        if (differs.Index >= 0)
        {
            problems.Add($"transaction {differs.Index + 1} is not the one that was committed");
        }

        return problems;
    }
}
