using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Reads a column of any Parquet type, nested or not, as it is stored.</summary>
internal static class PhysicalReader
{
    internal static PhysicalColumn Read(ParquetFileReader file, int column)
    {
        var type = file.FileMetaData.Schema.Column(column);
        return type.PhysicalType switch
        {
            PhysicalType.Boolean => Read<bool, bool>(file, column, value => value),
            PhysicalType.Int32 => Read<int, int>(file, column, value => value),
            PhysicalType.Int64 => Read<long, long>(file, column, value => value),
            PhysicalType.Float => Read<float, float>(file, column, value => value),
            PhysicalType.Double => Read<double, double>(file, column, value => value),
            PhysicalType.Int96 => Read<Int96, byte[]>(file, column, value => [.. BitConverter.GetBytes(value.A), .. BitConverter.GetBytes(value.B), .. BitConverter.GetBytes(value.C)]),
            PhysicalType.ByteArray => Read<ByteArray, byte[]>(file, column, value => Bytes(value.Pointer, value.Length)),
            PhysicalType.FixedLenByteArray => Read<FixedLenByteArray, byte[]>(file, column, value => Bytes(value.Pointer, type.TypeLength)),
            var other => throw new TableFormatException($"A column has the type {other}, which is not known."),
        };
    }

    private static PhysicalColumn Read<TStored, TValue>(ParquetFileReader file, int column, Func<TStored, TValue> convert)
        where TStored : unmanaged
    {
        var descriptor = file.FileMetaData.Schema.Column(column);
        var (values, definition, repetition) = (new List<TValue>(), new List<short>(), new List<short>());
        const int Batch = 1024;
        var (stored, defined, repeated) = (new TStored[Batch], new short[Batch], new short[Batch]);
        for (var i = 0; i < file.FileMetaData.NumRowGroups; i++)
        {
            using var group = file.RowGroup(i);
            using var reader = (ColumnReader<TStored>)group.Column(column);
            while (reader.HasNext)
            {
                var levels = (int)reader.ReadBatch(Batch, defined, repeated, stored, out var read);
                for (var k = 0; k < read; k++)
                    values.Add(convert(stored[k]));
                if (descriptor.MaxDefinitionLevel > 0)
                    definition.AddRange(defined.AsSpan(0, levels));
                if (descriptor.MaxRepetitionLevel > 0)
                    repetition.AddRange(repeated.AsSpan(0, levels));
            }
        }

        return new(values.ToArray(), definition, repetition);
    }

    private static byte[] Bytes(IntPtr pointer, int length)
    {
        var bytes = new byte[length];
        System.Runtime.InteropServices.Marshal.Copy(pointer, bytes, 0, length);
        return bytes;
    }
}
