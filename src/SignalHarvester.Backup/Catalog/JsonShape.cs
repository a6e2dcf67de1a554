using System.Text.Json;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// A kind of JSON object, as a list of its fields in the order in which they are written. The fields are read and written by
/// plain code: the serializer's generic code would be compiled anew by each process, which takes longer than reading thousands
/// of objects.
/// </summary>
/// <param name="make">Makes an object without values.</param>
/// <param name="fields">The fields, at most 64.</param>
internal sealed class JsonShape<T>(Func<T> make, params JsonField<T>[] fields)
    where T : class
{
    /// <summary>Reads the object or null on which the reader stands.</summary>
    /// <param name="json">The reader.</param>
    /// <param name="unknown">Reads each field that is not among the known ones, on whose name the reader stands; without it they are skipped.</param>
    /// <exception cref="JsonException">It is no object, a known field is there twice, or a value is not of its field's kind.</exception>
    public T? Read(ref Utf8JsonReader json, ReadField<T>? unknown = null)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("it is not a JSON object");
        }

        var read = make();
        var seen = 0UL;
        var expected = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (Find(ref json, expected) is not { } at)
            {
                if (unknown is null)
                {
                    json.Skip();
                }
                else
                {
                    unknown(ref json, read);
                }

                continue;
            }

            if ((seen & (1UL << at)) != 0)
            {
                throw new JsonException($"its {json.GetString()} is there twice");
            }

            seen |= 1UL << at;
            expected = at + 1;
            _ = json.Read();
            fields[at].Read(ref json, read);
        }

        return read;
    }

    /// <summary>Writes an object, or null.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="value">The object.</param>
    /// <param name="unknown">Writes the fields that are not among the known ones.</param>
    public void Write(Utf8JsonWriter json, T? value, WriteField<T>? unknown = null)
    {
        if (value is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        foreach (var field in fields)
        {
            field.Write(json, value);
        }

        unknown?.Invoke(json, value);
        json.WriteEndObject();
    }

    /// <summary>Finds a field by the name on which the reader stands. The fields usually come in their order.</summary>
    private int? Find(ref Utf8JsonReader json, int expected)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            var at = (expected + i) % fields.Length;
            if (json.ValueTextEquals(fields[at].Name))
            {
                return at;
            }
        }

        return null;
    }
}
