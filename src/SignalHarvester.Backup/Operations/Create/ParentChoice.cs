using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>Finds the parent of the next backup of a database, or the reason why the next one must be full.</summary>
internal static class ParentChoice
{
    private const int MostLooks = 2;

    /// <summary>Chooses a parent.</summary>
    /// <param name="databasePath">The database.</param>
    /// <param name="directory">The directory of its backups.</param>
    /// <param name="options">The requested options.</param>
    /// <param name="identities">The secrets that open backups encrypted with a passphrase.</param>
    /// <returns>
    /// The parent with its depth; or the reason for a full backup, null if one was requested, and whether the existing backups are
    /// encrypted to others than the new one.
    /// </returns>
    /// <exception cref="BackupException">BackupNotFound, ParentUnusable, ChainBroken: the named backup cannot be the parent.</exception>
    public static (BackupMetadata? Parent, string? WhyFull, bool IsForOthers) Choose(
        string databasePath, BackupDirectory directory, CreateBackupOptions options, IdentityRing identities)
    {
        if (options.Strategy == BackupStrategy.Full)
        {
            return (null, null, false);
        }

        if (options.ParentId is { } named)
        {
            var backup = directory.Get(named);
            var fault = WhyUnusable(backup, databasePath, directory) ?? ParentKeys.WhyOthers(directory.Chain(backup.Id), options.Encryption, identities);
            return fault is null ? (backup, null, false) : throw Unusable(backup, fault);
        }

        if (Newest(databasePath, directory) is not { } newest)
        {
            return (null, "there is no backup of this database in the directory yet", false);
        }

        string? reason;
        var isForOthers = false;
        try
        {
            reason = WhyUnusable(newest, databasePath, directory);
            if (reason is null)
            {
                reason = ParentKeys.WhyOthers(directory.Chain(newest.Id), options.Encryption, identities);
                isForOthers = reason is not null;
            }

            reason ??= options.Strategy == BackupStrategy.Auto ? WhyChainEnds(newest, directory, options) : null;
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.BackupNotFound or BackupErrorId.BackupFileMissing)
        {
            reason = "was removed meanwhile";
        }

        return reason is null ? (newest, null, false) : (null, $"the newest backup, '{newest.Id}', {reason}", isForOthers);
    }

    private static BackupMetadata? Newest(string databasePath, BackupDirectory directory)
    {
        if (!Directory.Exists(directory.Path))
        {
            return null;
        }

        return directory.List().Backups.FirstOrDefault(backup => !backup.IsSafety && backup.DatabasePath == databasePath);
    }

    private static string? WhyUnusable(BackupMetadata backup, string databasePath, BackupDirectory directory)
    {
        if (BackupChain.WhyNoParent(backup, databasePath, backup.PageSize) is { } reason)
        {
            return reason;
        }

        if (backup.IsSafety)
        {
            return "is a safety backup, which is removed automatically";
        }

        if (backup.IsRetired)
        {
            return "was removed, and is kept only for the backups that build on it";
        }

        if (backup.IsSourceCorrupt)
        {
            return "contains a damaged database";
        }

        if (backup is { Verified: false, VerificationTimestamp: not null })
        {
            return "failed its verification";
        }

        for (var look = 1; ; look++)
        {
            try
            {
                var bad = directory.Chain(backup.Id)
                    .FirstOrDefault(link => new FileInfo(link.BackupPath) is not { Exists: true } file || file.Length != link.Size);
                if (bad is null)
                {
                    return null;
                }

                // Checked again, because it may have been folded since its sidecar was read.
                if (look == MostLooks)
                {
                    return bad.Id == backup.Id ? "has no file, or a file whose size differs from the recorded one"
                        : $"builds on '{bad.Id}', whose file is missing or has the wrong size";
                }
            }
            catch (BackupException exception) when (exception.ErrorId == BackupErrorId.ChainBroken)
            {
                return $"is unusable: {BackupChain.Reason(exception)}";
            }
        }
    }

    private static string? WhyChainEnds(BackupMetadata newest, BackupDirectory directory, CreateBackupOptions options)
    {
        var links = directory.Chain(newest.Id);
        if (links.Count > options.MaxIncrements)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"ends a chain of {links.Count - 1} increments, and at most {options.MaxIncrements} are allowed");
        }

        var increments = links.Skip(1).Sum(link => link.Size);
        return increments > links[0].Size * (options.MaxIncrementShare / 100.0)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"ends a chain whose increments have {increments} bytes in total, more than {options.MaxIncrementShare} % of the full backup's {links[0].Size}")
            : null;
    }

    private static BackupException Unusable(BackupMetadata backup, string reason) => new(
        BackupErrorId.ParentUnusable, backup.Id,
        $"'{backup.Id}' cannot be the parent: it {reason}. Give another one with -Parent, or omit -Parent to build on the newest.");
}
