using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// The files of a chain, all open: whatever is removed or folded meanwhile, they stay readable, and stay what they are.
/// </summary>
internal sealed class OpenChain : IDisposable
{
    private const int MostAttempts = 3;

    private readonly IReadOnlyList<SafeFileHandle> owned;

    private OpenChain(IReadOnlyList<(BackupMetadata Backup, SafeFileHandle File)> links, IdentityRing identities, IReadOnlyList<SafeFileHandle> owned)
    {
        Links = links;
        Identities = identities;
        this.owned = owned;
    }

    /// <summary>The backups with their files: the full one first.</summary>
    public IReadOnlyList<(BackupMetadata Backup, SafeFileHandle File)> Links { get; }

    /// <summary>What encrypted files may be opened with. Asked for as soon as one is read, and not before.</summary>
    public IdentityRing Identities { get; }

    /// <summary>The backup that the chain leads to.</summary>
    public BackupMetadata Backup => Links[^1].Backup;

    /// <summary>Whether the backup stands by itself.</summary>
    public bool IsSingle => Links.Count == 1;

    /// <summary>Bytes that its files have on disk.</summary>
    public long StoredLength => Links.Sum(link => link.Backup.Size);

    /// <summary>Bytes of the image that it gives, as far as that is recorded.</summary>
    public long ExpectedImageLength => Backup.DatabaseSize ?? Backup.Size;

    /// <summary>Opens a backup and what it builds on.</summary>
    /// <param name="backup">The backup. Its sidecar is read again: it may have been folded since the caller saw it.</param>
    /// <param name="directory">Where it lies; null for a file that is in no catalogue.</param>
    /// <param name="identities">What encrypted files may be opened with.</param>
    /// <exception cref="BackupException">ChainBroken, BackupFileMissing, BackupNotFound, SidecarHostile, ReadFailed.</exception>
    public static OpenChain Open(BackupMetadata backup, BackupDirectory? directory, IdentityRing identities)
    {
        if (directory is null)
        {
            return OpenAll(BackupChain.Resolve(backup, _ => null), identities);
        }

        var links = BackupChain.IsIncrement(backup) ? directory.Chain(backup.Id) : [backup];
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return OpenAll(links, identities);
            }
            catch (BackupException exception)
                when (exception.ErrorId == BackupErrorId.BackupFileMissing && attempt < MostAttempts && directory.TryGet(backup.Id) is not null)
            {
                // Folded since the sidecars were read: looked at again. Where nothing has changed, the file is missing.
                var before = links;
                links = directory.Chain(backup.Id);
                if (links.Select(link => link.BackupPath).SequenceEqual(before.Select(link => link.BackupPath)))
                {
                    throw;
                }
            }
        }
    }

    /// <summary>A backup that stands by itself, whose file the caller has open and keeps.</summary>
    public static OpenChain Of(BackupMetadata backup, SafeFileHandle file, IdentityRing identities) => new([(backup, file)], identities, []);

    /// <summary>This chain with one more backup on top, whose file the caller has open and keeps.</summary>
    public OpenChain With(BackupMetadata child, SafeFileHandle file, IdentityRing identities) => new([.. Links, (child, file)], identities, []);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in owned)
        {
            file.Dispose();
        }
    }

    private static OpenChain OpenAll(IReadOnlyList<BackupMetadata> backups, IdentityRing identities)
    {
        var files = new List<SafeFileHandle>();
        try
        {
            foreach (var backup in backups)
            {
                files.Add(CatalogReader.OpenFile(backup));
            }

            return new OpenChain([.. backups.Zip(files)], identities, files);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }
}
