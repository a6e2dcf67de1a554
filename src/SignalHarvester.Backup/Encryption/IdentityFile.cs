using System.Globalization;
using System.Text;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Encryption;

/// <summary>A file of age secret keys, one on each line; lines that begin with # are comments. age-keygen writes the same form.</summary>
internal static class IdentityFile
{
    private const int LargestBytes = 1 << 20;

    /// <summary>Reads the keys.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="cancellation">Ends the wait for a file that is a pipe.</param>
    /// <exception cref="BackupException">IdentityInvalid.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public static IReadOnlyList<X25519Identity> Read(string path, CancellationToken cancellation)
    {
        if (path.Contains("AGE-SECRET-KEY-", StringComparison.OrdinalIgnoreCase))
        {
            throw new BackupException(
                BackupErrorId.IdentityInvalid, "IdentityFile",
                "A secret key was given instead of a file. It is not shown here; remove it from your shell's history. Give the path of a file that contains it.");
        }

        string text;
        try
        {
            if (Directory.Exists(path))
            {
                throw Invalid(path, "it is a directory");
            }

            // A key can also come from a pipe, for example from a password manager that leaves no key on a disk.
            using var reader = new StreamReader(new MemoryStream(NamedFile.ReadAllBytes(path, LargestBytes, cancellation)), Encoding.UTF8);
            text = reader.ReadToEnd();
        }
        catch (FileTooLargeException exception)
        {
            throw Invalid(path, "it is too large for a file of keys", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, exception.Message.TrimEnd('.'), exception);
        }

        if (text.StartsWith("age-encryption.org/", StringComparison.Ordinal) || text.StartsWith("-----BEGIN AGE", StringComparison.Ordinal))
        {
            throw Invalid(path, "it is itself encrypted; decrypt it with 'age -d' to a private place first");
        }

        var identities = new List<X25519Identity>();
        var number = 0;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            number++;
            if (line.Length > 0 && line[0] != '#')
            {
                // Never quote the line itself: it may be a mistyped secret.
                identities.Add(X25519Identity.TryParse(line) ?? throw Invalid(path, string.Create(
                    CultureInfo.InvariantCulture,
                    $"line {number} is {(X25519Recipient.TryParse(line) is not null ? "a public key; the secret key, which begins with AGE-SECRET-KEY-1, is needed" : "not an age secret key (AGE-SECRET-KEY-1…), or was mistyped")}")));
            }
        }

        return identities.Count > 0 ? identities : throw Invalid(path, "it contains no key");
    }

    /// <summary>Writes a key to a new file that only its owner can read.</summary>
    /// <exception cref="BackupException">IdentityFileExists, DestinationInvalid, DestinationNotWritable.</exception>
    public static void Write(string path, X25519Identity identity, DateTimeOffset moment)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"# created: {moment.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}\n# public key: {identity.PublicKey.Text}\n{identity.SecretText}\n");
        try
        {
            if (Path.Exists(path))
            {
                throw Exists(path);
            }

            using var place = NamedPlace.Find(path);
            DurableFile.WriteNew(place.Folder, place.Name, Encoding.ASCII.GetBytes(text));
        }
        catch (StrangeLinkException exception)
        {
            throw DiskFault.From(exception, path, BackupErrorId.DestinationNotWritable, string.Empty);
        }
        catch (IOException) when (Path.Exists(path))
        {
            throw Exists(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.DestinationNotWritable, path,
                $"Cannot write the key to '{path}': {exception.Message.TrimEnd('.')}. Give a file in a folder that this account may write to.", exception);
        }
    }

    private static BackupException Exists(string path) => new(
        BackupErrorId.IdentityFileExists, path,
        $"'{path}' exists already, and a key is never overwritten: that would make every backup encrypted to it unreadable. Give another file.");

    private static BackupException Invalid(string path, string reason, Exception? inner = null) => new(
        BackupErrorId.IdentityInvalid, path, $"The keys in '{path}' cannot be used: {reason}. Give a file from New-SHBackupKey or age-keygen.", inner);
}
