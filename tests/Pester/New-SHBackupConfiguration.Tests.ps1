Describe 'New-SHBackupConfiguration' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'writes every setting with -Full' {
        New-SHBackupConfiguration -Full | Should -FileContentMatch 'weekly_keep'
        Test-SHBackupConfiguration -Quiet | Should -BeTrue
    }

    It 'writes a sample without errors where the cmdlets find it, and emits the file' {
        $file = New-SHBackupConfiguration
        $file | Should -BeOfType System.IO.FileInfo
        $file.FullName | Should -Be (Convert-Path ./config/settings.yaml)
        Test-SHBackupConfiguration -Quiet | Should -BeTrue
        (Get-Item ./config/settings.yaml | Get-SHBackupConfiguration -Key app.backup.incremental.type).Value | Should -Be 'auto'
    }

    It 'replaces a file with -Force alone, and writes nothing with -WhatIf' {
        New-SHBackupConfiguration -Path ./s.yaml -WhatIf | Should -BeNullOrEmpty
        './s.yaml' | Should -Not -Exist
        Set-Content ./s.yaml 'app: {}'
        { New-SHBackupConfiguration -Path ./s.yaml -ErrorAction Stop } | Should -Throw -ErrorId 'ConfigurationExists,*'
        Get-Content ./s.yaml | Should -Be 'app: {}'
        New-SHBackupConfiguration -Path ./s.yaml -Force | Should -HaveCount 1
        './s.yaml' | Should -FileContentMatch 'database_path'
    }
}
