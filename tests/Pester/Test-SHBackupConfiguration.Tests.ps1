Describe 'Test-SHBackupConfiguration' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'names every problem, and writes one error' {
        Set-Content ./s.yaml "app:`n  backup:`n    compresion: zstd`n    retention_days: many"
        $problems = Test-SHBackupConfiguration ./s.yaml -ErrorAction SilentlyContinue -ErrorVariable failed
        $problems.Key | Should -Be 'app.backup.compresion', 'app.backup.retention_days'
        $problems.Line | Should -Be 3, 4
        $problems[0].Message | Should -BeLike "*Did you mean 'compression'?"
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'ConfigurationInvalid,*'
        Test-SHBackupConfiguration ./s.yaml -Quiet | Should -BeFalse
        { Get-SHBackup -ConfigurationPath ./s.yaml } | Should -Throw -ErrorId 'ConfigurationInvalid,*'
    }

    It 'warns of paths that are not there' {
        Set-Content ./s.yaml 'app: {database_path: missing.db}'
        (Test-SHBackupConfiguration ./s.yaml).Severity | Should -Be 'Warning'
        Test-SHBackupConfiguration ./s.yaml -Quiet | Should -BeTrue
        Set-Content ./s.yaml 'app: {database_path: app.db}'
        Test-SHBackupConfiguration ./s.yaml | Should -BeNullOrEmpty
    }
}
