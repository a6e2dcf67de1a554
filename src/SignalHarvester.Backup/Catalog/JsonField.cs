using System.Text;
using System.Text.Json;

namespace SignalHarvester.Backup.Catalog;

/// <summary>Reads the value of a field, on which the reader stands, and ends on the value's last token.</summary>
internal delegate void ReadField<in T>(ref Utf8JsonReader json, T to);

/// <summary>Writes the value of a field; null if there is none.</summary>
internal delegate void WriteField<in T>(Utf8JsonWriter json, T of);

/// <summary>One field of a JSON object.</summary>
/// <param name="name">Its name.</param>
/// <param name="read">Reads its value.</param>
/// <param name="write">Writes its value.</param>
/// <param name="mayBeNull">Whether null stands for no value, and is not read.</param>
internal sealed class JsonField<T>(string name, ReadField<T> read, WriteField<T> write, bool mayBeNull = true)
    where T : class
{
    /// <summary>The name in UTF-8.</summary>
    public byte[] Name { get; } = Encoding.UTF8.GetBytes(name);

    /// <summary>Reads the value.</summary>
    /// <exception cref="JsonException">It is not of this field's kind.</exception>
    public void Read(ref Utf8JsonReader json, T to)
    {
        if (mayBeNull && json.TokenType == JsonTokenType.Null)
        {
            return;
        }

        try
        {
            read(ref json, to);
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            throw new JsonException($"its {name} is not valid: {exception.Message}", exception);
        }
    }

    /// <summary>Writes name and value.</summary>
    public void Write(Utf8JsonWriter json, T of)
    {
        json.WritePropertyName(Name);
        write(json, of);
    }
}
