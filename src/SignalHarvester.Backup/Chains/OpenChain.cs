using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Chains;

/// <summary>
/// The open files of a chain. They stay readable and unchanged, even if others remove or fold the backups meanwhile.
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

    /// <summary>The backups with their files, the full backup first.</summary>
    public IReadOnlyList<(BackupMetadata Backup, SafeFileHandle File)> Links { get; }

    /// <summary>
    /// The content of a single backup, if this process has just written it from an image whose SHA-256 it took. Reading it back compares
    /// the content instead of computing that SHA-256 again. Null for all others.
    /// </summary>
    public ContentSum? Written { get; private init; }

    /// <summary>The secrets that may open encrypted files. They are needed only once such a file is read.</summary>
    public IdentityRing Identities { get; }

    /// <summary>The backup that the chain leads to.</summary>
    public BackupMetadata Backup => Links[^1].Backup;

    /// <summary>Whether the backup builds on no other.</summary>
    public bool IsSingle => Links.Count == 1;

    /// <summary>Bytes of its files on disk.</summary>
    public long StoredLength => Links.Sum(link => link.Backup.Size);

    /// <summary>Bytes of the resulting image, as far as they are recorded.</summary>
    public long ExpectedImageLength => Backup.DatabaseSize ?? Backup.Size;

    /// <summary>Opens a backup and the backups that it builds on.</summary>
    /// <param name="backup">The backup. Its sidecar is read again, because the backup may have been folded since the caller saw it.</param>
    /// <param name="directory">Its directory; null for a file without a catalogue.</param>
    /// <param name="identities">The secrets that may open encrypted files.</param>
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
                // The chain may have been folded since the sidecars were read, so read them again. If nothing changed, the file is missing.
                var before = links;
                links = directory.Chain(backup.Id);
                if (links.Select(link => link.BackupPath).SequenceEqual(before.Select(link => link.BackupPath)))
                {
                    throw;
                }
            }
        }
    }

    /// <summary>Makes a chain of one backup that builds on no other. The caller opened its file and keeps it.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="file">Its file.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <param name="written">See <see cref="Written"/>.</param>
    public static OpenChain Of(BackupMetadata backup, SafeFileHandle file, IdentityRing identities, ContentSum? written = null) =>
        new([(backup, file)], identities, []) { Written = written };

    /// <summary>Returns this chain with one more backup on top. The caller opened that backup's file and keeps it.</summary>
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
