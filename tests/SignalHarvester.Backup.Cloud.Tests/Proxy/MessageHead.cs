using System.Globalization;
using System.Text;

namespace SignalHarvester.Backup.Cloud.Tests.Proxy;

/// <summary>The first line and the headers of an HTTP/1.1 message.</summary>
internal sealed class MessageHead
{
    private readonly string[] lines;

    /// <summary>Reads a head.</summary>
    /// <param name="bytes">All of it, with the empty line at its end.</param>
    public MessageHead(byte[] bytes)
    {
        Bytes = bytes;
        lines = Encoding.Latin1.GetString(bytes).Split("\r\n");
    }

    /// <summary>The received bytes.</summary>
    public byte[] Bytes { get; }

    /// <summary>The method of a request.</summary>
    public string Method => lines[0].Split(' ')[0];

    /// <summary>The path and the query of a request.</summary>
    public string Target => lines[0].Split(' ')[1];

    /// <summary>The status of a response.</summary>
    public int Status => int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>The announced length of the body; null if there is none.</summary>
    public long? ContentLength => this["Content-Length"] is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>Whether the body comes in chunks.</summary>
    public bool IsChunked => this["Transfer-Encoding"]?.Contains("chunked", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Whether a request changes something.</summary>
    public bool IsChange => Method is not ("GET" or "HEAD" or "OPTIONS");

    /// <summary>Whether a request's content is as large as only a part of a file can be.</summary>
    public bool BringsPart => IsChange && (IsChunked || ContentLength > 1 << 20);

    /// <summary>Whether a request asks for a range of an object.</summary>
    public bool AsksForRange => Method == "GET" && (this["Range"] ?? this["x-ms-range"]) is not null;

    /// <summary>Returns a header; null if there is none.</summary>
    public string? this[string name] => lines.Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .FirstOrDefault();
}
