namespace SignalHarvester.Backup.Protection;

/// <summary>What a comparison of the whole database with its transactions has found.</summary>
/// <param name="Since">The backup since which the transactions are known.</param>
/// <param name="Pages">The pages that differ from it although no transaction has written them; none if all is well.</param>
internal sealed record AuditResult(string Since, IReadOnlyList<long> Pages);
