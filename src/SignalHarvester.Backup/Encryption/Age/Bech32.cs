namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>The text form of age keys: Bech32 as in BIP 173, without its limit of 90 characters.</summary>
internal static class Bech32
{
    private const string Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private const int ChecksumLength = 6;

    private static readonly uint[] Generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

    /// <summary>Writes bytes in lower case.</summary>
    /// <param name="prefix">The human-readable part, in lower case.</param>
    /// <param name="data">The bytes.</param>
    public static string Encode(string prefix, ReadOnlySpan<byte> data)
    {
        var groups = Regroup(data, 8, 5, pad: true)!;
        var checksum = Polymod([.. Expand(prefix), .. groups, .. new byte[ChecksumLength]]) ^ 1;
        var check = Enumerable.Range(0, ChecksumLength).Select(i => (byte)((checksum >> (5 * (ChecksumLength - 1 - i))) & 31));
        return prefix + "1" + string.Concat(groups.Concat(check).Select(group => Alphabet[group]));
    }

    /// <summary>Reads a text that is all in lower or all in upper case.</summary>
    /// <param name="prefix">The human-readable part that it must have, in lower case.</param>
    /// <param name="text">The text.</param>
    /// <returns>The bytes; null if the text is not of this form, has another prefix, or a wrong checksum.</returns>
    public static byte[]? TryDecode(string prefix, string text)
    {
        var lower = text.ToLowerInvariant();
        var separator = lower.LastIndexOf('1');
        if ((text.Any(char.IsUpper) && text.Any(char.IsLower)) || separator < 0 || lower[..separator] != prefix
            || lower.Length - separator - 1 < ChecksumLength)
        {
            return null;
        }

        var groups = lower[(separator + 1)..].Select(character => Alphabet.IndexOf(character, StringComparison.Ordinal)).ToArray();
        if (groups.Contains(-1))
        {
            return null;
        }

        byte[] values = [.. groups.Select(group => (byte)group)];
        return Polymod([.. Expand(prefix), .. values]) == 1 ? Regroup(values.AsSpan(..^ChecksumLength), 5, 8, pad: false) : null;
    }

    private static IEnumerable<byte> Expand(string prefix) =>
        prefix.Select(character => (byte)(character >> 5)).Append((byte)0).Concat(prefix.Select(character => (byte)(character & 31)));

    private static uint Polymod(IEnumerable<byte> values)
    {
        uint checksum = 1;
        foreach (var value in values)
        {
            var top = checksum >> 25;
            checksum = ((checksum & 0x1ffffff) << 5) ^ value;
            for (var i = 0; i < Generator.Length; i++)
            {
                checksum ^= ((top >> i) & 1) == 1 ? Generator[i] : 0;
            }
        }

        return checksum;
    }

    /// <summary>Regroups bits; null if the remainder at the end is more than zero padding.</summary>
    private static byte[]? Regroup(ReadOnlySpan<byte> values, int from, int to, bool pad)
    {
        var groups = new List<byte>((values.Length * from / to) + 1);
        var (bits, count) = (0u, 0);
        foreach (var value in values)
        {
            bits = (bits << from) | value;
            for (count += from; count >= to;)
            {
                count -= to;
                groups.Add((byte)((bits >> count) & ((1u << to) - 1)));
            }
        }

        var rest = bits & ((1u << count) - 1);
        if (pad && count > 0)
        {
            groups.Add((byte)(rest << (to - count)));
        }

        return pad || (count < from && rest == 0) ? [.. groups] : null;
    }
}
