namespace SignalHarvester.Backup.Health;

/// <summary>The secrets that a restore needs, and whether they are on this machine.</summary>
/// <param name="Text">A sentence with a blank before it; empty if none is needed.</param>
/// <param name="Status">Worse than Ok if it needs several, because perhaps nobody has them all.</param>
internal sealed record RestoreKeys(string Text, HealthStatus Status)
{
    /// <summary>Looks at a backup and all backups that it builds on.</summary>
    public static RestoreKeys Of(BackupMetadata backup, HealthScope scope)
    {
        var links = scope.Links(backup);
        var locks = links.Where(link => link.IsEncrypted)
            .DistinctBy(link => string.Join(' ', link.Recipients.Order(StringComparer.Ordinal)), StringComparer.Ordinal).ToList();
        if (locks.Count == 0)
        {
            return new RestoreKeys(string.Empty, HealthStatus.Ok);
        }

        var needed = string.Join(", and ", locks.Select(one => Secret(one, scope)));
        if (locks.Count == 1 && links.All(link => link.IsEncrypted))
        {
            return new RestoreKeys($" A restore needs {needed}.", HealthStatus.Ok);
        }

        var isAnybodys = locks.TrueForAll(one => scope.Identities.Opens(one.Recipients) || one.Recipients.Any(scope.Settings.Encryption.Recipients.Contains));
        return new RestoreKeys(
            $" Its chain is encrypted to different keys: a restore needs {needed}.", isAnybodys ? HealthStatus.Warning : HealthStatus.Critical);
    }

    private static string Secret(BackupMetadata locked, HealthScope scope)
    {
        if (locked.Recipients.Count == 0)
        {
            return $"the passphrase of '{locked.Id}', which is not stored here";
        }

        var key =
            locked.Recipients.Count == 1 ? $"the secret key of {locked.Recipients[0]}" : $"one of the secret keys of {string.Join(", ", locked.Recipients)}";
        var file = scope.Settings.Encryption.IdentityFile;
        return scope.Identities.Opens(locked.Recipients) ? $"{key}, which is here in '{file}'"
            : file is null ? $"{key}, which is not here (no encryption.identity_file is configured)"
            : $"{key}, which is not here in '{file}'";
    }
}
