using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>The header of an age v1 file (https://age-encryption.org/v1): who can open it, and a code that shows any change to it.</summary>
internal sealed class AgeHeader
{
    private const string VersionLine = "age-encryption.org/v1";
    private const string StanzaMark = "-> ";
    private const string CodeMark = "---";
    private const int LineLength = 64;
    private const int CodeSize = 32;
    private const int LargestHeader = 1 << 20;

    // The stanzas of a hundred recipients.
    private const int UsualHeader = 16 << 10;

    private readonly byte[] authenticated;
    private readonly byte[] code;

    private AgeHeader(IReadOnlyList<AgeStanza> stanzas, byte[] authenticated, byte[] code)
    {
        Stanzas = stanzas;
        this.authenticated = authenticated;
        this.code = code;
        Bytes = [.. authenticated, .. Encoding.ASCII.GetBytes($" {AgeBase64.Encode(code)}\n")];
    }

    /// <summary>The stanzas, each one way to the file's key.</summary>
    public IReadOnlyList<AgeStanza> Stanzas { get; }

    /// <summary>The header as written in the file.</summary>
    public byte[] Bytes { get; }

    /// <summary>Whether a passphrase opens the file.</summary>
    public bool IsForPassphrase => Stanzas.Any(stanza => stanza.Type == Passphrase.StanzaType);

    /// <summary>Makes the header of a file.</summary>
    public static AgeHeader Create(AgeFileKey key, IEnumerable<IAgeRecipient> recipients)
    {
        List<AgeStanza> stanzas = [.. recipients.Select(recipient => recipient.Wrap(key))];
        var text = new StringBuilder(VersionLine).Append('\n');
        foreach (var stanza in stanzas)
        {
            text.Append(StanzaMark).AppendJoin(' ', [stanza.Type, .. stanza.Arguments]).Append('\n');
            var body = AgeBase64.Encode(stanza.Body);
            for (var start = 0; start <= body.Length; start += LineLength)
            {
                // A line that is not full ends the body, so there is always such a line.
                text.Append(body.AsSpan(start, Math.Min(LineLength, body.Length - start))).Append('\n');
            }
        }

        var authenticated = Encoding.ASCII.GetBytes(text.Append(CodeMark).ToString());
        return new AgeHeader(stanzas, authenticated, key.HeaderCode(authenticated));
    }

    /// <summary>Reads the header of a file.</summary>
    /// <param name="file">The file, as stored.</param>
    /// <returns>Null if the file does not begin like an age file.</returns>
    /// <exception cref="InvalidDataException">It does, but the rest of the header is malformed or of a later version.</exception>
    public static AgeHeader? TryRead(SafeFileHandle file) => TryRead(count => Read(file, count));

    /// <summary>Reads the header of a file.</summary>
    /// <param name="beginning">Returns that many bytes of the file's beginning; fewer only if it has no more.</param>
    /// <returns>Null if the file does not begin like an age file.</returns>
    /// <exception cref="InvalidDataException">It does, but the rest of the header is malformed or of a later version.</exception>
    public static AgeHeader? TryRead(Func<int, byte[]> beginning)
    {
        var bytes = beginning(UsualHeader);
        if (bytes.AsSpan().StartsWith("-----BEGIN AGE"u8))
        {
            throw AgeDamage.Of(
                "The content is in age's text form (armor). Convert it to the binary form first: use 'age -d' with the key, or decode its Base64.");
        }

        if (!bytes.AsSpan().StartsWith("age-encryption.org/"u8))
        {
            return null;
        }

        try
        {
            return Parse(bytes);
        }
        catch (InvalidDataException) when (bytes.Length == UsualHeader)
        {
            return Parse(beginning(LargestHeader));
        }
    }

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">The beginning of a file.</param>
    /// <exception cref="InvalidDataException">It is malformed or of a later version.</exception>
    public static AgeHeader Parse(byte[] bytes)
    {
        var position = 0;
        if (NextLine() is var version && version != VersionLine)
        {
            throw AgeDamage.Of("The header is of an unknown version of age; only v1 is supported.");
        }

        var stanzas = new List<AgeStanza>();
        while (true)
        {
            var begun = position;
            var line = NextLine();
            if (line.StartsWith(StanzaMark, StringComparison.Ordinal))
            {
                stanzas.Add(ReadStanza(line[StanzaMark.Length..].Split(' ')));
                continue;
            }

            if (stanzas.Count > 0 && line.StartsWith(CodeMark + " ", StringComparison.Ordinal)
                && AgeBase64.TryDecode(line[(CodeMark.Length + 1)..]) is { Length: CodeSize } code)
            {
                return new AgeHeader(stanzas, bytes[..(begun + CodeMark.Length)], code);
            }

            throw Malformed();
        }

        AgeStanza ReadStanza(string[] words)
        {
            if (Array.Exists(words, word => word.Length == 0 || word.Any(character => character is < '!' or > '~')))
            {
                throw Malformed();
            }

            var body = new StringBuilder();
            string line;
            do
            {
                line = NextLine();
                body.Append(line);
            }
            while (line.Length == LineLength);

            return line.Length < LineLength && AgeBase64.TryDecode(body.ToString()) is { } decoded
                ? new AgeStanza(words[0], words[1..], decoded)
                : throw Malformed();
        }

        string NextLine()
        {
            var length = bytes.AsSpan(position).IndexOf((byte)'\n');
            if (length < 0 || !Ascii.IsValid(bytes.AsSpan(position, length)))
            {
                throw Malformed();
            }

            var line = Encoding.ASCII.GetString(bytes, position, length);
            position += length + 1;
            return line;
        }
    }

    /// <summary>Checks the header with the file's key.</summary>
    /// <exception cref="InvalidDataException">It was changed since the file was made.</exception>
    public void Authenticate(AgeFileKey key)
    {
        if (!IsAuthenticatedBy(key))
        {
            throw AgeDamage.Of("The header was changed after the file was made: it does not authenticate.");
        }
    }

    /// <summary>Whether this is a header of the file to which a key belongs.</summary>
    public bool IsAuthenticatedBy(AgeFileKey key) => CryptographicOperations.FixedTimeEquals(key.HeaderCode(authenticated), code);

    private static byte[] Read(SafeFileHandle file, int count)
    {
        var bytes = new byte[(int)Math.Min(count, RandomAccess.GetLength(file))];
        return bytes[..file.ReadFully(bytes, 0)];
    }

    private static InvalidDataException Malformed() => AgeDamage.Of("The header of the encrypted content is cut short or malformed.");
}
